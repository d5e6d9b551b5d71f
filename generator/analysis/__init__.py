"""What one does with a population: find, count, balance, augment, weight and judge people in data frames."""
