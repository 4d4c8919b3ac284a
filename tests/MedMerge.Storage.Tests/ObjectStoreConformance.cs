using System.Text;
using CsCheck;
using MedMerge.Storage.Tests.Faults;

namespace MedMerge.Storage.Tests;

/// <summary>What every object store must do; one thin class a provider.</summary>
public abstract class ObjectStoreConformance
{
    protected abstract IObjectStore Store { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task What_was_written_is_read()
    {
        Assert.Null(await Store.ReadAsync("a/b", Cancellation));
        var etag = await Store.TryCreateAsync("a/b", Bytes("one"), Cancellation);
        var read = await Store.ReadAsync("a/b", Cancellation);
        Assert.Equal("one", Encoding.UTF8.GetString(read!.Content));
        Assert.Equal(etag, read.ETag);
    }

    [Fact]
    public async Task A_name_is_created_once()
    {
        Assert.NotNull(await Store.TryCreateAsync("x", Bytes("first"), Cancellation));
        Assert.Null(await Store.TryCreateAsync("x", Bytes("second"), Cancellation));
        Assert.Equal("first", Encoding.UTF8.GetString((await Store.ReadAsync("x", Cancellation))!.Content));
    }

    [Fact]
    public async Task A_replacement_needs_the_ETag_of_what_it_replaces()
    {
        Assert.Null(await Store.TryReplaceAsync("m", Bytes("0"), "\"none\"", Cancellation));
        var first = (await Store.TryCreateAsync("m", Bytes("1"), Cancellation))!;
        var second = (await Store.TryReplaceAsync("m", Bytes("2"), first, Cancellation))!;
        Assert.NotEqual(first, second);
        Assert.Null(await Store.TryReplaceAsync("m", Bytes("late"), first, Cancellation));
        Assert.Equal("2", Encoding.UTF8.GetString((await Store.ReadAsync("m", Cancellation))!.Content));
    }

    [Fact]
    public async Task Of_many_who_replace_at_once_one_wins_each_time()
    {
        var etag = (await Store.TryCreateAsync("race", Bytes("0"), Cancellation))!;
        for (var round = 0; round < 5; round++)
        {
            var known = etag;
            var writes = Enumerable.Range(0, 8).Select(i => Store.TryReplaceAsync("race", Bytes($"{round}-{i}"), known, Cancellation));
            var results = await Task.WhenAll(writes);
            etag = Assert.Single(results.OfType<string>());
        }
    }

    [Fact]
    public async Task Of_many_who_create_at_once_one_wins()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Store.TryCreateAsync("new", Bytes($"{i}"), Cancellation)));
        Assert.Single(results.OfType<string>());
    }

    [Fact]
    public async Task Listing_goes_by_prefix_in_ordinal_order()
    {
        foreach (var name in new[] { "s/b", "s/a/2", "s/a/10", "t/c", "s-x" }) await Store.TryCreateAsync(name, Bytes(name), Cancellation);
        Assert.Equal(["s/a/10", "s/a/2", "s/b"], await ListAsync("s/"));
        Assert.Equal(["s-x", "s/a/10", "s/a/2", "s/b", "t/c"], await ListAsync(""));
        Assert.Equal(["s-x", "s/a/10", "s/a/2", "s/b"], await ListAsync("s"));
        Assert.Equal(["s/a/10", "s/a/2"], await ListAsync("s/a"));
        Assert.Equal(["s/a/10"], await ListAsync("s/a/1"));
        Assert.Empty(await ListAsync("u"));
        Assert.Empty(await ListAsync("u/v/"));
        Assert.Empty(await ListAsync("s/b/"));
    }

    [Fact]
    public async Task A_listing_is_what_its_prefix_leaves_of_all_names()
    {
        string[] names = ["a_", "a-b/c", "a.b/c", "a/b", "a/b-c/d", "a/b.c", "a/bb/c/d", "b/a/a", "b/a-a"];
        foreach (var name in names) await Store.TryCreateAsync(name, Bytes(name), Cancellation);
        var all = await ListAsync("");
        foreach (var prefix in names.SelectMany(name => Enumerable.Range(0, name.Length + 1).Select(length => name[..length])).Distinct())
            Assert.Equal(all.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)), await ListAsync(prefix));
    }

    [Fact]
    public async Task What_is_deleted_is_gone_and_may_come_again()
    {
        await Store.DeleteAsync("d", Cancellation);
        await Store.TryCreateAsync("d", Bytes("1"), Cancellation);
        await Store.DeleteAsync("d", Cancellation);
        Assert.Null(await Store.ReadAsync("d", Cancellation));
        Assert.NotNull(await Store.TryCreateAsync("d", Bytes("2"), Cancellation));
    }

    [Fact]
    public async Task Any_bytes_come_back()
    {
        foreach (var size in new[] { 0, 1, 4096, 3_000_000 })
        {
            var content = new byte[size];
            new Random(size).NextBytes(content);
            await Store.TryCreateAsync($"bytes/{size}", content, Cancellation);
            Assert.Equal(content, (await Store.ReadAsync($"bytes/{size}", Cancellation))!.Content);
        }
    }

    /// <summary>More than a block of the Azure store.</summary>
    [Fact]
    public async Task A_stream_is_written_whole_whether_or_not_the_name_is_taken()
    {
        var content = new byte[40_000_000];
        new Random(1).NextBytes(content);
        Assert.Null(await Store.GetPropertiesAsync("stream", Cancellation));
        await Store.TryCreateAsync("stream", Bytes("before"), Cancellation);
        Assert.Equal(new ObjectProperties(6), await Store.GetPropertiesAsync("stream", Cancellation));

        using var stream = new MemoryStream(content);
        stream.Position = 3; // it is read from its start all the same
        await Store.WriteAsync("stream", stream, Cancellation);

        Assert.Equal(content, (await Store.ReadAsync("stream", Cancellation))!.Content);
        Assert.Equal(new ObjectProperties(content.Length), await Store.GetPropertiesAsync("stream", Cancellation));
    }

    [Fact]
    public async Task A_stream_that_breaks_off_leaves_nothing_and_replaces_nothing()
    {
        await Store.TryCreateAsync("old", Bytes("old"), Cancellation);
        using var broken = new BrokenStream(length: 40_000_000, breaksAt: 30_000_000);

        await Assert.ThrowsAnyAsync<Exception>(() => Store.WriteAsync("new", broken, Cancellation));
        await Assert.ThrowsAnyAsync<Exception>(() => Store.WriteAsync("old", broken, Cancellation));

        Assert.Null(await Store.ReadAsync("new", Cancellation));
        Assert.Equal("old", Encoding.UTF8.GetString((await Store.ReadAsync("old", Cancellation))!.Content));
        Assert.Equal(["old"], await ListAsync(""));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/x")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("")]
    [InlineData("a\\b")]
    [InlineData(".hidden")]
    public async Task Names_that_could_leave_the_store_are_refused(string name)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReadAsync(name, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.TryCreateAsync(name, Bytes("x"), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(name, Cancellation));
    }

    [Fact]
    public void It_behaves_like_a_dictionary_with_versions() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[0, 99]).Array[1, 12].Sample(steps =>
        {
            // Every sample works under names of its own.
            var folder = Guid.NewGuid().ToString("N");
            var expected = new Dictionary<string, (string Content, string ETag)>();
            foreach (var (action, key, value) in steps)
            {
                var name = $"{folder}/{key}";
                var known = expected.TryGetValue(name, out var current);
                switch (action)
                {
                    case 0:
                        var created = Store.TryCreateAsync(name, Bytes($"{value}"), default).GetAwaiter().GetResult();
                        Assert.Equal(!known, created is not null);
                        if (created is not null) expected[name] = ($"{value}", created);
                        break;
                    case 1:
                        var etag = known ? current.ETag : "\"0\"";
                        var replaced = Store.TryReplaceAsync(name, Bytes($"{value}"), etag, default).GetAwaiter().GetResult();
                        Assert.Equal(known, replaced is not null);
                        if (replaced is not null) expected[name] = ($"{value}", replaced);
                        break;
                    case 2:
                        Store.DeleteAsync(name, default).GetAwaiter().GetResult();
                        expected.Remove(name);
                        break;
                    default:
                        var read = Store.ReadAsync(name, default).GetAwaiter().GetResult();
                        Assert.Equal(known ? current.Content : null, read is null ? null : Encoding.UTF8.GetString(read.Content));
                        break;
                }
            }
        }, iter: 40, threads: 1);

    private async Task<List<string>> ListAsync(string prefix)
    {
        var names = new List<string>();
        await foreach (var found in Store.ListAsync(prefix, Cancellation)) names.Add(found.Name);
        return names;
    }
}
