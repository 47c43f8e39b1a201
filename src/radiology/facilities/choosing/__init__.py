"""Where an examination is done best: which facilities can do it, and which of them is quick, cheap, near and good."""
