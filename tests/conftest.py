"""What every test may ask for: real servers on free ports. Their fixtures are in tests/services."""

pytest_plugins = [
    "pytester",
    "tests.services.left_out",
    "tests.services.mosquitto",
    "tests.services.kafka",
    "tests.services.postgres",
    "tests.services.chromium",
]
