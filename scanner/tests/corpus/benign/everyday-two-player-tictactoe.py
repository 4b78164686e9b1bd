# expect: LOW
board = [" "] * 9
WINS = [(0,1,2),(3,4,5),(6,7,8),(0,3,6),(1,4,7),(2,5,8),(0,4,8),(2,4,6)]
turn = "X"
while True:
    print("\n-+-+-\n".join("|".join(board[i:i+3]) for i in (0, 3, 6)))
    try:
        i = int(input(f"{turn}: ")) - 1
        assert 0 <= i < 9 and board[i] == " "
    except (ValueError, AssertionError):
        continue
    board[i] = turn
    if any(all(board[j] == turn for j in w) for w in WINS):
        print(turn, "wins")
        break
    if " " not in board:
        print("draw")
        break
    turn = "O" if turn == "X" else "X"
