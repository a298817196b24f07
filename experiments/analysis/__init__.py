"""From raw exposures and events to a report one can act on.

`aggregation` sums up in SQL → `srm` asks whether the split can be trusted → `welch` and `sequential` compare the arms →
`report` puts them together and says in one sentence what they mean. `cuped`, `bayesian`, `power` and
`multiple_testing` are the further tools of the trade. Distributions come from `scipy.special`.
"""
