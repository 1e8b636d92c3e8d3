"""Greets everybody who joins a team: a bot writes to them, in the words that administrators have set."""

from pydantic import BaseModel, Field

from mmhooks import App, Post, TeamMember
from mmhooks.models import Bot


class Settings(BaseModel):
    """What newcomers are told."""

    greeting: str = Field(
        default="Welcome to {team}, {name}! Ask me nothing, I am only a bot.",
        title="The message to newcomers",
        description="{name} is the newcomer's name, {team} that of the team.",
        json_schema_extra={"mattermost": {"type": "longtext"}},
    )
    greet_guests: bool = Field(default=False, title="Greet guests, too")


app = App(settings=Settings)
bot_id = ""


@app.hook
def on_activate() -> None:
    global bot_id
    bot = Bot(username="welcome", display_name="Welcome", description="Greets everybody who joins a team.")
    bot_id = app.api.ensure_bot_user(bot)  # makes it once, and then finds it again


@app.hook
def user_has_joined_team(team_member: TeamMember) -> None:
    user = app.api.get_user(team_member.user_id)
    if user.is_bot or ("system_guest" in user.roles.split() and not app.settings.greet_guests):
        return
    team = app.api.get_team(team_member.team_id)
    text = app.settings.greeting.replace("{name}", user.first_name or user.username)
    channel = app.api.get_direct_channel(bot_id, user.id)
    app.api.create_post(
        Post(channel_id=channel.id, user_id=bot_id, message=text.replace("{team}", team.display_name or team.name))
    )
    app.logger.info("greeted %s", user.username, extra={"team": team.name})


if __name__ == "__main__":
    app.run()
