"""Pages and a JSON API over the lessons of one store; everything that leaves has passed `store.privacy`."""
