"""The composition root: the only place that picks adapters; one file for each thing that is put together."""
