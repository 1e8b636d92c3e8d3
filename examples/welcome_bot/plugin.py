"""Greets everybody who joins a team: a bot writes to them, in the words that administrators have set."""

from pydantic import BaseModel, Field

from mmhooks import App, Bot, TeamMember


class Settings(BaseModel):
    """What newcomers are told."""

    greeting: str = Field(
        default="Welcome to {team}, {name}! Ask me nothing, I am only a bot.",
        title="The message to newcomers",
        description="{name} is the newcomer's name, {team} that of the team.",
        json_schema_extra={"mattermost": {"type": "longtext"}},
    )
    greet_guests: bool = Field(default=False, title="Greet guests, too")


bot = Bot(username="welcome", display_name="Welcome", description="Greets everybody who joins a team.")
app = App(settings=Settings, bot=bot)


@app.hook
def user_has_joined_team(team_member: TeamMember) -> None:
    user = app.api.get_user(team_member.user_id)
    if user.is_bot or ("system_guest" in user.roles.split() and not app.settings.greet_guests):
        return
    team = app.api.get_team(team_member.team_id)
    text = app.settings.greeting.replace("{name}", user.first_name or user.username)
    app.bot.dm(user.id, text.replace("{team}", team.display_name or team.name))
    app.logger.info("greeted %s", user.username, extra={"team": team.name})


if __name__ == "__main__":
    app.run()
