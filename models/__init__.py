"""Networks, their weights, the catalogue that loads them and the recipes that trained them."""
