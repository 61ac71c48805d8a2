#include <stdio.h>
#define MAX 10

typedef struct node {
    int value;
    struct node *next;
} node_t;

/* Appends a value to the list and returns its new head. */
static node_t *append(node_t *head, int value)
{
    node_t *fresh = malloc(sizeof(*fresh));
    fresh->value = value;
    fresh->next = NULL;
    if (head == NULL) {
        return fresh;
    }
    node_t *last = head;
    while (last->next != NULL) {
        last = last->next;
    }
    last->next = fresh;
    return head;
}

int main(void)
{
    node_t *list = append(NULL, 1);
    printf("%d\n", list->value);
    return 0;
}
