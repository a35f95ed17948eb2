from django.apps import AppConfig


class SpineConfig(AppConfig):
    name = "spine"

    def ready(self) -> None:
        """Offers the patient list the reasons by which it can be filtered."""
        from consent.list_query import REASONS
        from spine.reasons import Effect, Reason

        REASONS.update({one.code: one.sentence for one in Reason if one.effect is Effect.HOLD})
