"""The rules of the house: each module under rules/ has the handlers of one subject, and the app collects them."""

from rules import logins, messages

from mmhooks import App

app = App()
app.include(messages.rules)
app.include(logins.rules)

if __name__ == "__main__":
    app.run()
