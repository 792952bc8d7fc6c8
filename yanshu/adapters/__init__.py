"""Where we go out: stores, carriers, channels. Adapters see ports and below, never the pipeline or its rules."""
