"""PostgreSQL, a broker and every process of the product on one machine, without apt or Docker.

For the demo and the tests. Never for production: nobody is asked for a password here, and the
servers are safe only behind the private folder they live in.
"""
