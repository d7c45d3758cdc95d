"""The ground floor: settings, names, registry, configs, nests, seeds and checks."""
