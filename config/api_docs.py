"""The API's description for programs, and the page that shows it to people. Neither names a patient."""

from csp.decorators import csp_update
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

schema = SpectacularAPIView.as_view()

# Script and page apart, so that nothing stands inline. Swagger's icons are data: pictures, and its
# page alone may show such.
docs = csp_update({"img-src": ["data:"]})(
    SpectacularSwaggerSplitView.as_view(
        url_name="api:schema",
        template_name="api/docs.jinja",
        authentication_classes=[SessionAuthentication],
        permission_classes=[IsAuthenticated],
    )
)
# A person without a log-in is led to the log-in page, not told 401 in JSON.
docs.login_required = True  # type: ignore[attr-defined]
