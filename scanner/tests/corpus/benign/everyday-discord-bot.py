# expect: LOW
import os
import discord
from discord.ext import commands

bot = commands.Bot("!", intents=discord.Intents.default())


@bot.command()
async def ping(ctx):
    await ctx.send(f"pong {bot.latency:.2f}")


@bot.command()
async def add(ctx, a: int, b: int):
    await ctx.send(a + b)


bot.run(os.environ["DISCORD_TOKEN"])
