"""The explorer: hypothesis invents stories of many steps, they are played on live instances, and an oracle looks whether
money is conserved."""
