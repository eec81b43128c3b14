"""Risk metrics as pure functions of arrays: no labels, no database, no clock.

Every function documents shapes, units and its missing-value policy. An undefined result is NaN,
next to a count of observations; a wrong shape raises ValueError. The result for one (date, series)
is the same to the last bit whatever else is in the call: sums run in a fixed order within a window
or a group, never as products or cumulative sums across dates, symbols or portfolios.
"""
