namespace MedMerge.Cli.Tests;

public sealed class PrintableWriterTests
{
    [Fact]
    public async Task Control_characters_of_a_name_do_not_reach_the_terminal_and_lines_do()
    {
        using var text = new StringWriter();
        await using (var writer = new PrintableWriter(text))
        {
            const string Name = "\u001b[2Jéa\u0007\u009b1m.npz";
            writer.Write($"'{Name}'\r\n");
            writer.WriteLine("\ta");
            await writer.WriteLineAsync($"{Name[0]}");
            writer.Write('\b');
            writer.Write("{0}", Name[1..4]);
        }
        var expected = $"'\\u001B[2Jéa\\u0007\\u009B1m.npz'\r\n\ta{Environment.NewLine}\\u001B{Environment.NewLine}\\u0008[2J";
        Assert.Equal(expected, text.ToString());
    }
}
