"""Arrays in, arrays out: the arithmetic of risk, with no label, no database and no clock.

Every function states shapes, units and what it does with missing values. Undefined is NaN with a
count beside it; a wrong shape raises ValueError. A result for one (date, series) is the same to the
last bit whatever else is in the call: sums run in a fixed order within a window or a group, never
as products or cumulative sums across dates, symbols or portfolios.
"""
