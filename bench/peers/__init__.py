"""What the product is compared with: the same list as it is written first, and pages that do nothing."""
