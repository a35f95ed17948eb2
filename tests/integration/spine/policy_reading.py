"""Reading pages of the policy as a browser without JavaScript does."""


def read(client, address, **more):
    return client.get(address, **more).content.decode()


def at_change(found, step=""):
    """The address of a change of policy, or of a step on its way."""
    return f"/policy/changes/{found.change.public_id}/{step}"
