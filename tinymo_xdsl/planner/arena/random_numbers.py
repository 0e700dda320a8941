"""Numbers that look random and are the same in every version of Python, on every machine."""

_MULTIPLIER = 6364136223846793005
_INCREMENT = 1442695040888963407
_MASK = (1 << 64) - 1


class RandomNumbers:
    """A linear congruential generator with 64 bits (Knuth's MMIX), of which the upper 32 are used."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK
        self.below(1)

    def below(self, bound: int) -> int:
        """The next number from 0 to `bound` - 1."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK
        return (self._state >> 32) * bound >> 32
