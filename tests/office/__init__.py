"""What the organiser does in the office: catalogue, orders, cases, money."""
