using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.FluentUI.AspNetCore.Components;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>How a page's table is searched, filtered and sorted: kept in the page's address, so that it can be shared.</summary>
internal sealed class TableAddress
{
    /// <summary>The filter that lets every state through.</summary>
    public const string AnyState = "any";

    private const string Descending = "-";
    private readonly NavigationManager _navigation;
    private readonly string? _sort;

    /// <summary>Reads the address that is open.</summary>
    /// <param name="states">Those that can be chosen.</param>
    public TableAddress(NavigationManager navigation, IReadOnlyCollection<string> states)
    {
        _navigation = navigation;
        var query = QueryHelpers.ParseQuery(new Uri(navigation.Uri).Query);
        string? state = query.GetValueOrDefault("state");
        Text = query.GetValueOrDefault("search");
        State = state is not null && states.Contains(state) ? state : AnyState;
        _sort = query.GetValueOrDefault("sort");
    }

    /// <summary>What is searched for; null or empty for nothing.</summary>
    public string? Text { get; set; }

    /// <summary>The state that is shown, or <see cref="AnyState"/>.</summary>
    public string? State { get; set; }

    /// <summary>Sorts a table as the address says, if it does.</summary>
    public Task SortAsync<T>(FluentDataGrid<T> table)
    {
        if (_sort is null) return Task.CompletedTask;
        var isDescending = _sort.StartsWith(Descending, StringComparison.Ordinal);
        return table.SortByColumnAsync(
            isDescending ? _sort[Descending.Length..] : _sort,
            isDescending ? DataGridSortDirection.Descending : DataGridSortDirection.Ascending);
    }

    /// <summary>Writes what is searched for and filtered by.</summary>
    public void WriteFilter() => Write(new Dictionary<string, object?>
    {
        ["search"] = string.IsNullOrWhiteSpace(Text) ? null : Text.Trim(),
        ["state"] = State is null or AnyState ? null : State,
    });

    /// <summary>Writes by what the table was sorted.</summary>
    public void WriteSort<T>(DataGridSortEventArgs<T> sorted)
    {
        var first = sorted.SortColumns.Count == 0 ? null : sorted.SortColumns[0];
        Write(new Dictionary<string, object?>
        {
            ["sort"] = first is null ? null : $"{(first.Ascending ? "" : Descending)}{first.Column.Title?.ToLowerInvariant()}",
        });
    }

    private void Write(Dictionary<string, object?> query) =>
        _navigation.NavigateTo(_navigation.GetUriWithQueryParameters(query), replace: true);
}
