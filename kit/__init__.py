"""Machines that know no noun of the product."""
