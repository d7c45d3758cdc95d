"""What ``python -m minikeras`` does: run scripts written for Keras, tell about this machine."""
