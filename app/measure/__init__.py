"""From warehouse to Reading: refresh writes rollups, readings read them."""
