"""The values with a life: warnings, alerts, notices, deliveries, answers, tasks. Frozen; a new value is made with replace."""
