"""The command `personas`: the only place that prints, exits or catches broadly."""
