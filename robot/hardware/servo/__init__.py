"""Serial bus servos: two protocols, and the machine part that drives joints, jaws and blade with them."""
