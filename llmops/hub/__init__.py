"""Files of the model hub: fetching, reachability, what is allowed, licences."""
