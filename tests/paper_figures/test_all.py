def test_x(drawn):
    print(sorted(drawn.iterdir()))
