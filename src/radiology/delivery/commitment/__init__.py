"""Storage commitment as SCU (PS3.4 J): receivers are asked whether they keep what was sent to them."""
