"""What is left of a warning afterwards: who knew what when, by which path, and why each grade was reached."""
