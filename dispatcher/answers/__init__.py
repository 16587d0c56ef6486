"""Replies, links and receipts: what people and far sides say, understood and recorded."""
