"""x"""
def vote(parts):
    return parts.mean((-2, -1))
