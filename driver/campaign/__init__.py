"""Campaigns: many geometries, kicks, fields and levels of theory of one molecule, and their common answer."""
