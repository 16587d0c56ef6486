"""What people and programs reach over HTTP: the duty room, the answer page, the API, the hooks. Server-rendered, live through SSE."""
