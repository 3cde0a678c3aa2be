scale = 1 / 2. 
