"""Only people of the house may log in, and guests whose address is on the list."""

from pathlib import Path

from mmhooks import Blueprint, HookName, Reject, User

GUESTS = Path(__file__).with_name("guests.txt")

# A server lets everybody pass when a handler fails; here nobody may pass unchecked.
rules = Blueprint(on_error=Reject("The list of guests cannot be read. Please tell an administrator."))


@rules.hook(HookName.UserWillLogIn)
def only_known_people(user: User) -> Reject | None:
    if user.email.endswith("@example.com") or user.email in GUESTS.read_text().split():
        return None
    return Reject("This server is for people of the house and their guests.")
