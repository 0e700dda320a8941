"""Reports on models: one object, shown as text or JSON."""
