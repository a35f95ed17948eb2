"""Looking at uploads: lists, one with all its checks and attempts, why it went or did not, what is to be done."""
