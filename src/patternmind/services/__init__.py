"""What the doors can ask for, one verb a module, each a function over the ports. ``cycle`` is the longest of them."""
