"""Made-up patients in three real practices, for showing and trying the product. Never in production."""
