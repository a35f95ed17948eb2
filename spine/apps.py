from django.apps import AppConfig


class SpineConfig(AppConfig):
    name = "spine"

    def ready(self) -> None:
        """Offers lower floors what only this one knows: reasons, what a change would do, what is in flight."""
        from boycott import measuring
        from carerecords import quiet
        from consent.list_query import REASONS
        from spine.policy.effect import measure
        from spine.reasons import Effect, Reason
        from spine.sending.in_flight import watch

        REASONS.update({one.code: one.sentence for one in Reason if one.effect is Effect.HOLD})
        measuring.provide(measure)
        quiet.provide(watch)
