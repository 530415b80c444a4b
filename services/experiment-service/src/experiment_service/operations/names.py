"""Readable names for runs that were given none."""

import secrets

_HOW = """
amber ample arctic autumn balmy bold brave breezy bright brisk calm candid clear clever cosmic
crisp curious daring dapper deep eager early easy elegant fair fancy fast fine fleet fluent fond
fresh frosty gentle gifted glad golden grand happy hardy honest humble jolly keen kind lively
lucid lucky lunar mellow merry mighty mild misty modest neat nimble noble patient placid polite
prime proud quick quiet radiant rapid ready rosy rustic serene sharp shiny silent silver simple
sleek smooth snowy solar solid spry steady still stout subtle sunny sure swift tidy tranquil
true upbeat vivid warm wise witty young zesty
"""
_WHAT = """
acorn anchor apple arrow aspen atlas badger bamboo basil beacon beaver birch bison brook canyon
cedar cherry clover cobalt comet condor coral cove crane creek cricket crystal dawn delta
dolphin dune eagle echo elm ember falcon fern finch fjord flint forest fox galaxy garnet geyser
glacier grove gull harbor hawk hazel heron hill horizon island ivy jade jasmine juniper kestrel
lagoon lake lantern lark laurel lemur lily lotus lynx maple marlin meadow meteor moss nebula oak
oasis olive opal orbit orchid osprey otter owl panda pebble pepper pine planet plum pond poppy
prairie puffin quartz quasar raven reef ridge river robin sage salmon sequoia sparrow spring
spruce summit swan thistle thunder tiger topaz trail tulip valley violet walnut willow wren
zephyr
"""
_NUMBERS = 10_000


def readable_name() -> str:
    """A name like `brisk-otter-4071`: easy to say, seldom the same twice."""
    how, what = secrets.choice(_HOW.split()), secrets.choice(_WHAT.split())
    return f"{how}-{what}-{secrets.randbelow(_NUMBERS)}"
