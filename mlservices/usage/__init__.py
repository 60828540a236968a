"""The page of usage: figures from the sums of days, and the table of prices."""
