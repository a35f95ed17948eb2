"""Policy as it is seen and changed: its effect, stops, stances, dispensations, what a reopening would bring."""
