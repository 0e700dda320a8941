"""
Where every buffer lies in an arena: a problem of plain values in, a solution of plain values out.

`problem` says what is asked and answered, `portfolio.plan` answers it, and `validate` checks every answer by itself.
"""
