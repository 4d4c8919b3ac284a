using MedMerge.Gateway.Pages.Shared;
using MedMerge.Grains;
using Microsoft.AspNetCore.Components;

namespace MedMerge.Gateway.Tests;

/// <summary>What a table's address says, and that what was typed is in it.</summary>
public sealed class TableAddressTests
{
    private static readonly string[] States = [TableAddress.AnyState, "running", "done"];

    [Theory]
    [InlineData("", null, "any")]
    [InlineData("?search=x%20y&state=done", "x y", "done")]
    [InlineData("?state=nonsense", null, "any")] // somebody typed it
    [InlineData("?state=done&state=running", null, "any")]
    public void It_is_read(string query, string? text, string state)
    {
        var table = new TableAddress(new Browser($"sweeps/x{query}"), States);

        Assert.Equal((text, state), (table.Text, table.State));
    }

    [Fact]
    public void A_filter_lets_its_state_through()
    {
        var table = new TableAddress(new Browser("sweeps/x?state=done"), States);

        Assert.True(table.Shows(WorkState.Done));
        Assert.False(table.Shows(WorkState.Running));
        table.State = TableAddress.AnyState;
        Assert.True(table.Shows(WorkState.Running));
    }

    /// <summary>The browser's address lags behind: each change writes all of them.</summary>
    [Fact]
    public void It_is_written_whole_and_replaces_the_one_before()
    {
        var browser = new Browser("sweeps/x?page=2&sort=-state") { Lags = true };
        var table = new TableAddress(browser, States) { Text = " seed 1 " };
        table.Write();
        Assert.Equal("sweeps/x?page=2&sort=-state&search=seed%201", browser.Last);

        table.State = "running";
        table.Write();
        Assert.Equal("sweeps/x?page=2&sort=-state&search=seed%201&state=running", browser.Last);

        (table.Text, table.State) = ("", TableAddress.AnyState);
        table.Write();
        Assert.Equal("sweeps/x?page=2&sort=-state", browser.Last);
        Assert.True(browser.HasReplaced);
    }

    /// <summary>Remembers where it was sent.</summary>
    private sealed class Browser : NavigationManager
    {
        public Browser(string path) => Initialize("http://127.0.0.1/", $"http://127.0.0.1/{path}");

        public bool Lags { get; init; }

        public bool HasReplaced { get; private set; } = true;

        public string? Last { get; private set; }

        protected override void NavigateToCore(string uri, NavigationOptions options)
        {
            Last = ToBaseRelativePath(uri);
            HasReplaced &= options.ReplaceHistoryEntry;
            if (!Lags) Uri = uri;
        }
    }
}
