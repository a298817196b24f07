"""The demo site: pages that read through the doors and record through the doors."""
