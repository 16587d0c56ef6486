"""What every test may ask for: real servers on free ports. Their fixtures are in tests/services."""

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "pytester",
    "tests.services.left_out",
    "tests.services.mosquitto",
    "tests.services.kafka",
    "tests.services.postgres",
    "tests.services.chromium",
]

#: How long an example takes says how busy the machine is, and nothing of the promise.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
