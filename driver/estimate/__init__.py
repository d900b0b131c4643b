"""The stated error: an upper estimate, from points that were measured before they taught."""
