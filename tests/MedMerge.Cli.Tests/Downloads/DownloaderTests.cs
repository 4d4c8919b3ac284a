using System.Net;
using MedMerge.Cli.Downloads;
using static MedMerge.Cli.Tests.Downloads.DownloadServer;

namespace MedMerge.Cli.Tests.Downloads;

/// <summary>A file is got whole and with its hash, or not at all, whatever the server does.</summary>
public sealed class DownloaderTests : IDisposable
{
    private const int Middle = DownloadFolder.Length / 2;
    private readonly DownloadFolder _folder = new();

    private byte[] Content => _folder.Content;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_whole_file_gets_its_name_and_nothing_else_is_left()
    {
        await using var server = new DownloadServer(Whole(Content));
        var shown = new List<(long Bytes, long? Total)>();

        await _folder.GetAsync(_folder.Describe(server.Address), progress: (bytes, total) => shown.Add((bytes, total)));

        CheckFile();
        Assert.Equal((DownloadFolder.Length, DownloadFolder.Length), shown[^1]);
        Assert.Equal(shown.Select(step => step.Bytes).Order(), shown.Select(step => step.Bytes));
        Assert.Equal(new DownloadRequest("/set.npz", 0, null), Assert.Single(server.Requests));
    }

    [Fact]
    public async Task What_broke_off_is_resumed_where_it_ended()
    {
        await using var server = new DownloadServer(Cut(Content, Middle), Whole(Content));

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal([new("/set.npz", 0, null), new("/set.npz", Middle, Tag)], server.Requests);
        Assert.Equal(
            [$"{server.Address}: the connection broke after 150000 bytes (ResponseEnded); the next try is in 1 s"],
            _folder.Notices);
    }

    /// <summary>Another process goes on, asks for the same version, and asks for the rest only.</summary>
    [Fact]
    public async Task What_an_earlier_process_left_is_resumed()
    {
        await using var server = new DownloadServer(Hold(Content, Middle, Never), Whole(Content));
        using var interrupt = new CancellationTokenSource();
        var first = _folder.GetAsync(
            _folder.Describe(server.Address),
            progress: (bytes, _) =>
            {
                if (bytes == Middle) interrupt.Cancel();
            },
            interrupt: interrupt);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(["set.npz.partial", "set.npz.partial.from"], _folder.Files);
        Assert.Equal(Content[..Middle], File.ReadAllBytes(_folder.Partial));
        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal(new DownloadRequest("/set.npz", Middle, Tag), server.Requests[^1]);
    }

    [Fact]
    public async Task What_is_whole_but_has_not_its_name_yet_is_not_asked_for()
    {
        await using var server = new DownloadServer(Status("500 Internal Server Error"));
        File.WriteAllBytes(_folder.Partial, Content);

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_gives_it_from_the_beginning()
    {
        await using var server = new DownloadServer(WithoutRanges(Content, Middle), WithoutRanges(Content));

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal([0, Middle], server.Requests.Select(request => request.From));
    }

    [Theory]
    [InlineData("416 Range Not Satisfiable", "")]
    [InlineData("206 Partial Content", "Content-Range: bytes 7-8/300000\r\n")]
    public async Task A_server_that_does_not_give_the_rest_is_asked_for_all(string status, string header)
    {
        await using var server = new DownloadServer(Status(status, header), Whole(Content));
        File.WriteAllBytes(_folder.Partial, Content[..Middle]);

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal([Middle, 0], server.Requests.Select(request => request.From));
    }

    /// <summary>Where the catalogue knows no length, a file may be whole though the server promised more.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_length_that_is_too_long_is_not_believed(bool isLengthKnown)
    {
        await using var server = new DownloadServer(Claiming(Content, DownloadFolder.Length + 500));
        var file = _folder.Describe(server.Address, isLengthKnown: isLengthKnown);

        if (!isLengthKnown)
        {
            await _folder.GetAsync(file);
            CheckFile();
            return;
        }
        var error = await Assert.ThrowsAsync<DownloadException>(() => _folder.GetAsync(file));
        Assert.Contains("300500 bytes, where the catalogue has 300000", error.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);
    }

    [Theory]
    [InlineData(true, "1000 bytes, where the catalogue has 300000. Nothing was kept.")]
    [InlineData(false, "received MD5 ")]
    public async Task A_length_that_is_too_short_is_not_believed(bool isLengthKnown, string message)
    {
        await using var server = new DownloadServer(Claiming(Content, 1000));

        var error = await Assert.ThrowsAsync<DownloadException>(
            () => _folder.GetAsync(_folder.Describe(server.Address, isLengthKnown: isLengthKnown)));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(true, 300000)]
    [InlineData(false, 301000)]
    public async Task A_server_that_sends_more_than_the_file_can_have_is_stopped(bool isLengthKnown, int limit)
    {
        await using var server = new DownloadServer(Claiming([.. Content, .. Content], length: null));

        var error = await Assert.ThrowsAsync<DownloadException>(
            () => _folder.GetAsync(_folder.Describe(server.Address, isLengthKnown: isLengthKnown)));

        Assert.Contains($"more than {limit} bytes", error.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);
    }

    [Fact]
    public async Task A_body_without_length_is_taken_and_one_that_ends_early_is_resumed()
    {
        await using var server = new DownloadServer(Claiming(Content[..Middle], length: null), Whole(Content));

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal([0, Middle], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task Redirects_are_followed_with_the_range()
    {
        await using var server = new DownloadServer(Redirect("/there"), Cut(Content, Middle), Redirect("/there?again"), Whole(Content));

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal(
            [new("/set.npz", 0, null), new("/there", 0, null), new("/set.npz", Middle, Tag), new("/there?again", Middle, Tag)],
            server.Requests);
    }

    [Fact]
    public async Task Redirects_in_a_circle_end()
    {
        await using var server = new DownloadServer(Redirect("/set.npz"));

        var error = await Assert.ThrowsAsync<DownloadException>(() => _folder.GetAsync(_folder.Describe(server.Address)));

        Assert.Contains("redirected more than 5 times", error.Message, StringComparison.Ordinal);
        Assert.Equal(6, server.Requests.Count);
    }

    [Theory]
    [InlineData("http://elsewhere.test/set.npz")]
    [InlineData("file:///etc/hostname")]
    public async Task A_redirect_from_https_is_followed_to_https_alone(string location)
    {
        using var handler = new Answering(() => new HttpResponseMessage(HttpStatusCode.Found)
        {
            Headers = { Location = new Uri(location) },
        });

        var error = await Assert.ThrowsAsync<DownloadException>(
            () => _folder.GetAsync(_folder.Describe(new Uri("https://data.test/set.npz")), handler: handler));

        Assert.Contains($"redirected to {location}, which is not followed", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, handler.Count);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_not_asked_for_again()
    {
        await using var server = new DownloadServer(Status("404 Not Found"));

        var error = await Assert.ThrowsAsync<DownloadException>(() => _folder.GetAsync(_folder.Describe(server.Address)));

        Assert.Equal($"{server.Address} can't be downloaded: the server answered 404 Not Found.", error.Message);
        Assert.Empty(_folder.Files);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("500 Internal Server Error", "", 1)]
    [InlineData("429 Too Many Requests", "Retry-After: 20\r\n", 20)]
    [InlineData("503 Service Unavailable", "Retry-After: 4000\r\n", 60)]
    public async Task A_server_that_is_busy_is_asked_again_after_a_pause(string status, string header, int least)
    {
        await using var server = new DownloadServer(Status(status, header), Whole(Content));
        var start = _folder.Clock.GetUtcNow();

        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal(2, server.Requests.Count);
        Assert.InRange((_folder.Clock.GetUtcNow() - start).TotalSeconds, least, 3600);
    }

    [Fact]
    public async Task A_server_that_stays_broken_is_given_up_after_five_tries_and_growing_pauses()
    {
        await using var server = new DownloadServer(Cut(Content, Middle));
        var start = _folder.Clock.GetUtcNow();

        var error = await Assert.ThrowsAsync<DownloadException>(() => _folder.GetAsync(_folder.Describe(server.Address)));

        Assert.Equal(
            $"{server.Address} can't be downloaded after 5 tries: the connection broke after 150000 bytes (ResponseEnded). " +
            $"'{_folder.Partial}' keeps what came; the same command resumes from there.",
            error.Message);
        Assert.Equal(5, server.Requests.Count);
        Assert.True((_folder.Clock.GetUtcNow() - start).TotalSeconds >= 1 + 2 + 4 + 8);
        Assert.False(File.Exists(_folder.Target));
    }

    [Fact]
    public async Task Tries_that_bring_more_of_the_file_are_not_counted()
    {
        DownloadAnswer[] steps = [.. Enumerable.Range(1, 8).Select(step => Cut(Content, step * 30_000))];
        await using var server = new DownloadServer([.. steps, Whole(Content)]);

        await _folder.GetAsync(
            _folder.Describe(server.Address),
            new DownloadOptions { MinProgress = 30_000, StallTimeout = TimeSpan.FromDays(1) });

        CheckFile();
        Assert.Equal(9, server.Requests.Count);
    }

    [Fact]
    public async Task A_connection_on_which_nothing_comes_is_given_up()
    {
        await using var server = new DownloadServer(Hold(Content, Middle, Never), Whole(Content));

        await _folder.GetAsync(_folder.Describe(server.Address), new DownloadOptions { StallTimeout = TimeSpan.FromMinutes(10) });

        CheckFile();
        Assert.Equal([0, Middle], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task Another_file_is_not_kept_and_both_hashes_are_named()
    {
        await using var server = new DownloadServer(Whole(Content));
        var expected = _folder.Describe(server.Address, content: new byte[DownloadFolder.Length]);
        var received = _folder.Describe(server.Address);

        var error = await Assert.ThrowsAsync<DownloadException>(() => _folder.GetAsync(expected));

        Assert.Equal(
            $"{server.Address} gives another file than the catalogue's: expected {expected.Hash}, " +
            $"received {received.Hash}, 300000 bytes. Nothing was kept.",
            error.Message);
        Assert.Empty(_folder.Files);
    }

    /// <summary>A file that was damaged on the disk, or is of another version, would never come right by adding to it.</summary>
    [Fact]
    public async Task What_was_resumed_wrongly_is_thrown_away()
    {
        await using var server = new DownloadServer(Whole(Content));
        File.WriteAllBytes(_folder.Partial, new byte[Middle]);

        var error = await Assert.ThrowsAsync<DownloadException>(() => _folder.GetAsync(_folder.Describe(server.Address)));
        Assert.Contains("Some of it was from an earlier try: try again", error.Message, StringComparison.Ordinal);
        await _folder.GetAsync(_folder.Describe(server.Address));

        CheckFile();
        Assert.Equal([Middle, 0], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task Of_two_that_get_the_same_file_the_second_is_told_who_does()
    {
        var release = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        await using var server = new DownloadServer(Hold(Content, Middle, release.Task));
        var file = _folder.Describe(server.Address);
        var first = _folder.GetAsync(file, progress: (_, _) => started.TrySetResult());
        await started.Task;

        var error = await Assert.ThrowsAsync<InputException>(() => _folder.GetAsync(file));
        release.SetResult();
        await first;

        Assert.Equal($"Process {Environment.ProcessId} is downloading '{_folder.Target}' now. Wait until it ends.", error.Message);
        CheckFile();
        Assert.Single(server.Requests);
    }

    private void CheckFile()
    {
        Assert.Equal(["set.npz"], _folder.Files);
        Assert.Equal(Content, File.ReadAllBytes(_folder.Target));
    }

    private sealed class Answering(Func<HttpResponseMessage> answer) : HttpMessageHandler
    {
        public int Count { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Count++;
            return Task.FromResult(answer());
        }
    }
}
