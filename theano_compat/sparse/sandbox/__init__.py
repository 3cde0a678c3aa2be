"""Random sparse matrices (`sp2`) and convolution by sparse products (`sp`)."""
